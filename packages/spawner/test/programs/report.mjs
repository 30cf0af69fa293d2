/** Prints what it was given: arguments, environment, input. */
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const input = Buffer.concat(chunks).toString('utf8');
process.stdout.write(
  JSON.stringify({ args: process.argv.slice(2), environment: process.env, input, cwd: process.cwd() }),
);
