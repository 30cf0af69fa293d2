# Leaves a process that no thread leads to: own session, dead parent, empty environment. It holds stdout. Its pid is
# printed only once it has escaped.
exec 3>&1
escaped=$(env -i setsid sh -c 'echo $$; exec sleep 1000 >&3 3>&-' &)
echo "$escaped"
