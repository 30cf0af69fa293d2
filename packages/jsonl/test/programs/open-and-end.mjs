/** Opens a log and comes to its end without closing it. */
import { openJsonlLog } from '../../dist/index.js';

const log = await openJsonlLog(process.argv[2]);
await log.append({ written: true });
