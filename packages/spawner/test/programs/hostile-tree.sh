# Starts descendants in every way that escapes somebody, says "up <kind> <pid>" for each, and waits. With a token in `$1`
# there are fiercer ones too, and each can be found from outside by its kind and the token among its arguments.
token=$1
here=${0%/*}
# It holds the stream it was given, and does not look at it: a tail ends when nobody reads what it writes.
rest='exec tail -f /dev/null "$0" 3>&1 >/dev/null 2>&1'
sh -c 'echo "up plain $$"; '"$rest" "plain-$token" &
setsid sh -c 'echo "up session $$"; '"$rest" "session-$token" &
(setsid sh -c 'echo "up orphan $$"; '"$rest" "orphan-$token" &)
(setsid sh -c 'trap "" TERM; echo "up deaf $$"; '"$rest" "deaf-$token" &)
sh -c 'echo "up stopped $$"; kill -STOP $$; '"$rest" "stopped-$token" &
[ -z "$token" ] || {
  # In place of each that is asked to end two others come.
  (setsid sh "$here/hydra.sh" up 0 "hydra-$token" &)
  # Gone before anybody can name it, leaving another.
  (setsid sh "$here/relay.sh" up "relay-$token" &)
  # A session of its own, a dead parent and an empty environment: no thread leads to it.
  (env -i setsid sh -c 'echo "up escaped $$"; '"$rest" "escaped-$token" &)
}
echo "up root $$"
wait
