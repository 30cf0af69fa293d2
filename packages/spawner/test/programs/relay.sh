# Runs for a moment and hands on to another in a session of its own.
[ "$1" = on ] || echo "up relay $$"
sleep 0.02
setsid sh "$0" on "$2" </dev/null &
