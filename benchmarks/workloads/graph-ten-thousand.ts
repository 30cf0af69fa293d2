import { defineWorkload } from '@cadre/bench';
import { graphVariants, layeredGraph, validateGraphRun } from '../graph-runs.ts';

export default defineWorkload({
  question: 'Run a graph of 10,000 tasks that do nothing: planned, decided, and every event in a journal on disk.',
  claims: [
    {
      what: 'a task, from plan to journal',
      unit: 'nanoseconds',
      claimed: 30_000,
      source: 'nothing in the original reports; what docs/architecture.md promises for 10,000 tasks that do nothing',
      read: ({ time }) => time(),
      explain({ verdict, figures }) {
        const queue = (figures.time('fastq, no journal').estimate / 1000).toFixed(2);
        return verdict === 'missed'
          ? `The fold keeps every earlier state, and each event is on disk before the next is acted on; fastq, which keeps nothing, takes ${queue} µs a task here.`
          : `Events that come together share a write; fastq, which keeps nothing, takes ${queue} µs a task here.`;
      },
    },
  ],
  sizes: { full: 100, small: 3 },
  make(layers) {
    const graph = layeredGraph(layers, 100);
    return {
      unit: 'task',
      unitsPerIteration: graph.size,
      validate: validateGraphRun(graph),
      variants: graphVariants(graph, ['p-graph, no journal', 'fastq, no journal']),
    };
  },
});
