import { turning } from './turns.mjs';

export default turning(1050);
