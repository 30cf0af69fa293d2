# Starts two others, in sessions of their own, when it is asked to end; for two generations.
here=$0
generation=$2
token=$3
grow() {
  [ "$generation" -ge 2 ] || for head in 1 2; do setsid sh "$here" grown $((generation + 1)) "$token" </dev/null & done
}
trap grow TERM
[ "$1" = grown ] || echo "up hydra $$"
while :; do sleep 1000; done
