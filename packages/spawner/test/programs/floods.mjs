/** Writes as many bytes as it is told, in numbered lines of ten bytes, and ends. */
let left = Number(process.argv[2]);
for (let line = 0; left > 0; ) {
  let batch = '';
  for (; batch.length < 10_000; line += 1) batch += `${String(line).padStart(9, '0')}\n`;
  batch = batch.slice(0, left);
  left -= batch.length;
  await new Promise((resolve) => process.stdout.write(batch, resolve));
}
