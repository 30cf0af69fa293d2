/** Measure, compare with a stored baseline, report. */
export { type CaseComparison, comparePackage, describeBusy, findNoise } from './baseline.ts';
export {
  assertEqualWork,
  type BenchmarkCase,
  type CaseContext,
  checkCase,
  defineCase,
  type FoundCase,
  findCases,
  type LoadedCase,
  loadCase,
  type PreparedVariant,
  type Variant,
} from './case.ts';
export type { ControlName } from './controls.ts';
export { type Environment, readEnvironment } from './environment.ts';
export { BenchError, type BenchErrorCode } from './errors.ts';
export {
  type BenchmarkRecord,
  type CaseFailure,
  type CaseRecord,
  type ControlRecord,
  formatRecord,
  type PackageRecord,
  type RunSettings,
  readRecord,
  type VariantRecord,
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
