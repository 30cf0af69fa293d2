/** Says that it is up, and again for every TERM, but never ends. */
process.on('SIGTERM', () => process.stdout.write('heard\n'));
process.stdout.write('up\n');
setInterval(() => undefined, 1_000_000);
