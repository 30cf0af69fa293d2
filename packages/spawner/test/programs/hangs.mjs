/** Says that it is up, then does nothing for ever. */
process.stdout.write('up\n');
setInterval(() => undefined, 1_000_000);
