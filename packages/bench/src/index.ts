/** Measure, compare with a stored baseline, report. */
export { comparePackage, describeBusy, findNoise, type Runtimes, runtimeOf } from './baseline.ts';
export {
  type BenchmarkCase,
  type CaseContext,
  type CaseHead,
  defineCase,
  type PreparedVariant,
  type Variant,
} from './case.ts';
export { type CheckOptions, checkCase } from './check-case.ts';
export { type CaseComparison, correctForMany } from './comparison.ts';
export type { ControlName } from './controls.ts';
export { type DiskReport, inspectDisk } from './disk-honesty.ts';
export { type Environment, readEnvironment } from './environment.ts';
export { assertEqualWork } from './equal-work.ts';
export { BenchError, type BenchErrorCode } from './errors.ts';
export {
  type AnyCase,
  type CaseKind,
  type FoundCase,
  findCases,
  type LoadedCase,
  loadCase,
} from './find-cases.ts';
export { DurationHistogram, type HistogramCounts, histogramError } from './histogram.ts';
export type {
  KindRecord,
  LeakRecord,
  LeakVariantRecord,
  LoadRecord,
  LoadVariantRecord,
  MemoryRecord,
  MemoryVariantRecord,
  ScenarioRecord,
  SizeRecord,
} from './kind-records.ts';
export { defineLeak, type LeakCase, type LeakVerdict, type PreparedLeak } from './kinds/leak.ts';
export { defineLoad, type LoadCase, type PreparedLoad } from './kinds/load.ts';
export { defineMemory, type MemoryCase, type PreparedMemory } from './kinds/memory.ts';
export {
  defineScenario,
  type PreparedScenario,
  type ScenarioCase,
  type ScenarioFault,
  type ScenarioPhase,
  type ScenarioProgress,
  type ScenarioRun,
} from './kinds/scenario.ts';
export { type DoorSize, defineSize, type PackageSize, type SizeCase } from './kinds/size.ts';
export {
  type AppliedNeeds,
  applyNeeds,
  describeLeftOut,
  type Need,
  needsPackage,
  needsProgram,
  type OnMissing,
} from './needs.ts';
export {
  type BenchmarkRecord,
  type CaseFailure,
  type CaseRecord,
  type ClaimRecord,
  type ClaimUnit,
  type ControlRecord,
  formatRecord,
  type LeftOut,
  type PackageRecord,
  type RunSettings,
  readRecord,
  type VariantRecord,
  type WorkloadRecord,
  writeRecord,
} from './record.ts';
export { type CaseHistory, type HistoryPoint, type HistorySources, readHistory } from './report/history.ts';
export { type HtmlOptions, renderHtml } from './report/html.ts';
export { renderMarkdown } from './report/markdown.ts';
export { renderComparison, renderEnvironment, renderPackage } from './report/terminal.ts';
export { type RunOptions, type RunProgress, runBenchmarks } from './run.ts';
export {
  type BootstrapOptions,
  type Interval,
  median,
  medianInterval,
  medianRatioInterval,
  pairedRatios,
  quantile,
  seededRandom,
} from './stats.ts';
export { isEqual, judgeRatio, type Verdict, verdictLimits } from './verdict.ts';
export {
  type Claim,
  type ClaimOutcome,
  type ClaimVerdict,
  defineWorkload,
  findWorkloads,
  loadWorkload,
  type Probe,
  type Workload,
  type WorkloadDefinition,
  type WorkloadFigures,
} from './workload.ts';
export { runWorkloads } from './workload-run.ts';
