/** What an agent did, in lines for a person. */
import type { AgentDefinition, AgentEvent } from '@cadre/agents';
import { plainLine, plainLines } from './plain-text.ts';

/** Kept of them, from the end: that is where it went wrong. */
const mostLines = 5000;
const longestInput = 120;

export async function saidIn(events: AsyncIterable<AgentEvent>, agent: AgentDefinition): Promise<readonly string[]> {
  // What these say comes in pieces that go on where the one before stopped.
  const isInPieces = agent.adapter === 'gemini' || agent.adapter === 'model';
  let lines: string[] = [];
  let pending = '';
  const flush = () => {
    if (pending !== '') lines.push(...plainLines(pending));
    pending = '';
  };
  for await (const event of events) {
    if (isInPieces && event.type === 'text') pending += event.text;
    else {
      flush();
      lines.push(...wordsOf(event));
    }
    if (lines.length > 2 * mostLines) lines = lines.slice(-mostLines);
  }
  flush();
  return lines.slice(-mostLines);
}

function wordsOf(event: AgentEvent): readonly string[] {
  switch (event.type) {
    case 'text':
    case 'thinking':
      return plainLines(event.text);
    case 'progress': {
      const total = event.total === undefined ? '' : `/${event.total}`;
      return [plainLine(`${event.done}${total} ${event.message ?? ''}`)];
    }
    case 'toolStarted': {
      const input = event.input === undefined ? '' : ` ${JSON.stringify(event.input)}`;
      return [plainLine(`[${event.name}]${input.length > longestInput ? `${input.slice(0, longestInput)}…` : input}`)];
    }
    case 'toolEnded':
      return event.failed ? [plainLine(`[${event.name ?? 'a tool'} failed] ${firstLine(event.output ?? '')}`)] : [];
    case 'retrying':
      return [plainLine(`retrying (${event.reason}) ${event.message ?? ''}`)];
    case 'permissionAsked':
      return [plainLine(`${event.denied ? 'was denied' : 'asked for'} ${event.tool}`)];
    case 'permissionAnswered':
      return [plainLine(`${event.allowed ? 'was allowed' : 'was refused'} ${event.tool}`)];
    case 'warning':
      return plainLines(event.message);
    default:
      return [];
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
