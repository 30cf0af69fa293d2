import { defineCase } from '@cadre/bench';
import { loadVariants, type Settings } from '../../config-layers.ts';

export default defineCase<Settings>({
  question: 'How long does it take to load defaults, a JSON file and flags into one validated value?',
  unit: 'load',
  ...loadVariants('json'),
});
