/** Says a word on each stream and ends with the code it is given. */
process.stdout.write('out\n');
process.stderr.write('err\n');
process.exitCode = Number(process.argv[2]);
