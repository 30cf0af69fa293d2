/** Buffers of a known size, and the same number of buffers of which only one is kept. */
const bytes = 1024;

const keeping = (keep) => () => {
  let kept = [];
  return {
    fill(items) {
      kept = keep(
        Array.from({ length: items }, () => Buffer.alloc(bytes)),
        items,
      );
    },
    summarise: () => ({ items: kept.length }),
  };
};

export default {
  kind: 'memory',
  question: 'How much memory does a buffer of 1 KiB keep?',
  unit: 'buffer',
  sizes: [500, 1000, 2000],
  validate({ items }, expected) {
    if (items !== expected) throw new Error(`${items} of ${expected} are kept.`);
  },
  variants: {
    cadre: keeping((buffers) => buffers),
    shared: keeping((buffers, items) => Array.from({ length: items }, () => buffers[0])),
  },
};
