import { durableAppends } from '../../durable-appends.ts';

export default durableAppends(8);
