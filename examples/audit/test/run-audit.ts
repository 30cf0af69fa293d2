import { analyseChangeHistory } from '../src/change-history.ts';
import { collectDocs, collectSyntax, collectTests, collectText, collectTokens } from '../src/collect.ts';
import { collectManifests } from '../src/collect-manifests.ts';
import { analyseComplexity } from '../src/complexity.ts';
import { analyseDependencies } from '../src/dependencies.ts';
import { analyseDocCoverage } from '../src/doc-coverage.ts';
import { analyseDuplicates } from '../src/duplicates.ts';
import { fileFacts } from '../src/file-facts.ts';
import { summarizeFolders } from '../src/folders.ts';
import { historyOf } from '../src/history.ts';
import { analyseImportGraph } from '../src/import-graph.ts';
import { analyseLeftovers } from '../src/leftovers.ts';
import { analyseOversizedFiles } from '../src/oversized-files.ts';
import { rankFindings } from '../src/rank.ts';
import { htmlReport } from '../src/report-html.ts';
import { markdownReport } from '../src/report-markdown.ts';
import { makeScorecard } from '../src/scorecard.ts';
import { analyseTestCoverage } from '../src/test-coverage.ts';
import { analyseUnusedExports } from '../src/unused-exports.ts';

/** The whole graph in one process, each answer through JSON as between agents. */
export async function runAudit(root: string) {
  const silent = () => undefined;
  const collected = json({
    files: await fileFacts(root),
    syntax: await collectSyntax(root, silent),
    manifests: await collectManifests(root),
    history: await historyOf(root),
    docs: await collectDocs(root, silent),
    tests: await collectTests(root, silent),
    text: await collectText(root, silent),
    tokens: await collectTokens(root, silent),
  });
  const analysed = json({
    graph: analyseImportGraph(collected),
    'unused-exports': analyseUnusedExports(collected),
    complexity: analyseComplexity(collected),
    changes: analyseChangeHistory(collected),
    duplicates: analyseDuplicates(collected),
    'test-coverage': analyseTestCoverage(collected),
    'doc-coverage': analyseDocCoverage(collected),
    sizes: analyseOversizedFiles(collected),
    leftovers: analyseLeftovers(collected),
    dependencies: analyseDependencies(collected),
  });
  const rank = json(rankFindings({ ...analysed }));
  const folders = json(summarizeFolders({ ...analysed, rank }));
  const scorecard = json(makeScorecard({ ...analysed, rank, folders }, 'tree', { report: 'report.html' }));
  const needs = { ...analysed, rank, folders, scorecard };
  return { ...collected, ...needs, html: htmlReport(needs), markdown: markdownReport(needs) };
}

function json<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}
