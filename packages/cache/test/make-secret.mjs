// Opens a secret file, making it if need be; prints the secret in hex.
import { openSecretFile } from '../dist/disk.js';

console.log(Buffer.from(await openSecretFile(process.argv[2])).toString('hex'));
