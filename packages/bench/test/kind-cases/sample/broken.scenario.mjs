/** A counter that loses requests while it is broken, and one that only refuses them. */
const counting = (onBroken) => () => {
  let counted = 0;
  let broken = false;
  return {
    request() {
      if (broken && onBroken() === 'refuse') throw Object.assign(new Error('out of order'), { code: 'BROKEN' });
      if (!broken) counted += 1;
    },
    faults: {
      break() {
        broken = true;
        // However late the faults fire and however few requests come between them.
        if (onBroken() === 'lose') counted -= 1;
      },
      mend() {
        broken = false;
      },
    },
    invariants: {
      countsEveryAnswer({ answered }) {
        if (counted !== answered) throw new Error(`${answered} answered, ${counted} counted`);
      },
    },
  };
};

export default {
  kind: 'scenario',
  question: 'Is everything that was answered counted, while it breaks?',
  unit: 'request',
  phases: [
    { name: 'ramp', durationMs: 200, ratePerSecond: { from: 0, to: 1000 } },
    { name: 'hold', durationMs: 300, ratePerSecond: 1000 },
  ],
  faults: [
    { name: 'break', atMs: 250 },
    { name: 'mend', atMs: 480 },
  ],
  variants: { cadre: counting(() => 'refuse'), loses: counting(() => 'lose') },
};
