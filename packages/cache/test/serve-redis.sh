#!/bin/sh
# A redis-server that ends with the process that started this: when our input ends, as it does however that process went.
# It says the server's id, then what the server says; nothing else writes, so that the end of the output is the server's.
# Not waited for until it is to end, the server keeps its id from becoming anybody else's.
redis-server "$@" </dev/null &
echo "pid $!"
exec >/dev/null 2>&1
read -r _
kill -9 $!
wait $!
