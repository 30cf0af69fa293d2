/** Asks for a strong containment where PATH leads nowhere, and then for less. */
import { spawnProcess } from '../../dist/index.js';

const options = { command: '/bin/true', inheritEnv: [] };
const refused = await spawnProcess({ ...options, containment: 'pidNamespace' }).catch((error) => error);
const { containment } = await spawnProcess({ ...options, containment: ['pidNamespace', 'tree'] });
process.stdout.write(JSON.stringify({ code: refused.code, message: refused.message, fallback: containment }));
