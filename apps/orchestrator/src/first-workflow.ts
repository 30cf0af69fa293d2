/** What `cadre init` writes. It needs no key and no network, and shows each thing that a first workflow of one's own needs. */

export const firstWorkflow = `# yaml-language-server: $schema=.cadre/workflow.schema.json
name: first
description: Counts the words of this file twice and compares. Change it, run it again, and see what is not run again.

agents:
  # A program that speaks JSON lines: one line with its task on stdin, lines with text, progress and a result on stdout.
  counter: { adapter: jsonl, command: [node, ./agents/count-words.mjs] }
  # Any program: the prompt on stdin, its output is the result.
  shell: { adapter: command, command: [node, -e, "process.stdin.pipe(process.stdout)"] }
  # A coding agent, if you have it (\`cadre doctor\` says so):
  # reviewer: { adapter: claude, allowedTools: [Read, Grep], maxTurns: 10, maxBudgetUsd: 0.50 }

tasks:
  words:
    agent: counter
    prompt: Count the words.
    with: { file: workflow.yaml }
    reads: [workflow.yaml]
  lines:
    agent: counter
    prompt: Count the lines.
    with: { file: workflow.yaml, what: lines }
    reads: [workflow.yaml]
  report:
    agent: shell
    needs: [words, lines]
    prompt: "workflow.yaml has \${{ tasks.words.output.count }} words in \${{ tasks.lines.output.count }} lines."
  # review:
  #   agent: reviewer
  #   needs: [report]
  #   prompt: Read workflow.yaml and say in one sentence what it does.
`;

export const firstAgent = `// An agent: reads its task from stdin, says what it does, and ends with one result.
import { readFileSync } from 'node:fs';

const task = JSON.parse(readFileSync(0, 'utf8'));
const { file, what = 'words' } = task.input.with;
const say = (line) => console.log(JSON.stringify(line));

say({ type: 'progress', done: 0, total: 1, message: \`reading \${file}\` });
const parts = readFileSync(file, 'utf8').split(what === 'lines' ? /\\n/ : /\\s+/).filter(Boolean);
say({ type: 'progress', done: 1, total: 1 });
say({ type: 'result', output: { count: parts.length } });
`;
