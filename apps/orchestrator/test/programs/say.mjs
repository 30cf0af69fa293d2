// An agent that speaks JSON lines: notes that it ran, says a text, and gives back what it was given.
import { appendFileSync, readFileSync } from 'node:fs';

const task = JSON.parse(readFileSync(0, 'utf8'));
appendFileSync('ran.txt', `${task.prompt}\n`);
console.log(JSON.stringify({ type: 'text', text: `I was asked: ${task.prompt}` }));
console.log(JSON.stringify({ type: 'result', output: task.input.with ?? null }));
