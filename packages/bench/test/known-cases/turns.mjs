/** A loop that turns exactly so often: what is slower by construction is this with more turns. */
export function turning(turns) {
  return {
    question: `How long do ${turns} turns take?`,
    unit: 'loop',
    validate({ turned }, iterations) {
      if (turned !== iterations * turns) throw new Error(`${turned} turns.`);
    },
    variants: {
      cadre: () => ({
        run(iterations) {
          let hash = 7;
          let turned = 0;
          for (let iteration = 0; iteration < iterations; iteration += 1) {
            for (let turn = 0; turn < turns; turn += 1) hash = Math.imul(hash ^ turn, 16777619);
            turned += turns;
          }
          return { turned: hash === 0.5 ? 0 : turned };
        },
      }),
    },
  };
}
