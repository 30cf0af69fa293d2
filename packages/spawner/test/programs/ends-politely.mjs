/** On TERM puts its things in order, says so, and ends with 0. */
process.on('SIGTERM', () => {
  process.stdout.write('in order\n', () => process.exit(0));
});
process.stdout.write('up\n');
setInterval(() => undefined, 1_000_000);
