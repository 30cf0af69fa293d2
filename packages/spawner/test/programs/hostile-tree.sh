# Starts descendants in every way that escapes somebody, says "up <kind> <pid>" for each, and waits.
sleep 1000 &
echo "up plain $!"
setsid sh -c 'echo "up session $$"; exec sleep 1000' &
(setsid sh -c 'echo "up orphan $$"; exec sleep 1000' &)
(setsid sh -c 'trap "" TERM; echo "up deaf $$"; exec sleep 1000' &)
sh -c 'echo "up stopped $$"; kill -STOP $$; exec sleep 1000' &
echo "up root $$"
wait
