# Leaves a child in the background that holds none of its streams, and ends.
sleep 1000 >/dev/null 2>&1 </dev/null &
echo "$!"
