import { defineCase } from '@cadre/bench';
import { graphVariants, layeredGraph, validateGraphRun } from '../../graph-runs.ts';

const graph = layeredGraph(100, 100);

export default defineCase({
  question:
    'How long does a task that does nothing take in a graph of 10,000 (ours: planned, decided, journaled on disk)?',
  unit: 'task',
  unitsPerIteration: graph.size,
  validate: validateGraphRun(graph),
  variants: graphVariants(graph, ['p-graph, no journal', 'fastq, no journal', 'p-queue, no journal']),
});
