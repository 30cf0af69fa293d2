/** The command line: what can be typed, and which command it means. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { exitCodes, exitCodeTexts } from './exit-codes.ts';
import { debugText, failureOf } from './failure.ts';
import type { Host } from './host.ts';

/** Does what was typed and tells what went wrong. @returns the exit code */
export async function runCli(host: Host, version: string): Promise<number> {
  let exitCode: number = exitCodes.succeeded;
  const program = describe(host, version, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(host.arguments, { from: 'user' });
    return exitCode;
  } catch (error) {
    const failure = failureOf(error);
    if (host.environment.CADRE_DEBUG === '1' && failure.exitCode !== 0) host.stderr.write(`${debugText(error)}\n`);
    if (failure.message !== '') {
      host.stderr.write(`${failure.message}\n`);
      if (host.arguments.includes('--json')) {
        const { code, message } = failure;
        host.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
      }
    }
    return failure.exitCode;
  }
}

function describe(host: Host, version: string, done: (code: number) => void): Command {
  const program = new Command('cadre')
    .description(
      'Run a fleet of coding agents as one graph of tasks: a crash loses nothing, nothing is paid for twice.',
    )
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns || 100,
      getErrHelpWidth: () => host.stderr.columns || 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', exitCodeHelp());

  const shared = (command: Command): Command =>
    command
      .option('--project <dir>', 'folder whose .cadre holds the runs', '.')
      .option('--json', 'machine-readable output')
      .option('--no-color', 'no colours (NO_COLOR does the same)');
  const running = (command: Command): Command =>
    shared(command)
      .addOption(new Option('--concurrency <n>', 'attempts at once').argParser(positiveInteger))
      .option('--profile <name>', 'settings for a kind of machine; see: cadre config profiles')
      .option('--no-cache', 'neither reuse results nor keep them')
      .option('--plain', 'lines instead of the live tree');

  running(program.command('run'))
    .description('run a workflow')
    .argument('[workflow]', 'the workflow file', 'workflow.yaml')
    .option('--input <name=value>', 'an input of the workflow; may be repeated', collect, [])
    .option('--dry-run', 'print what would be done, and do nothing')
    .action(async (file, options) => done(await (await import('./commands/run.ts')).run(host, file, own(options))));
  running(program.command('resume'))
    .description('go on with a run that crashed, was stopped or failed')
    .argument('[run]', 'its id or the beginning or end of it; default: the newest that has not succeeded')
    .action(async (id, options) => done(await (await import('./commands/resume.ts')).resume(host, id, own(options))));
  shared(program.command('status'))
    .description('the runs there are, or one run task by task')
    .argument('[run]', 'its id or the beginning or end of it')
    .option('--all', 'every run, not only the newest 20')
    .action(async (id, options) => done(await (await import('./commands/status.ts')).status(host, id, own(options))));
  shared(program.command('logs'))
    .description('what happened in a run, or what the agent of a task was asked and said')
    .argument('[names...]', 'a run, a task, or a run and a task; default: the newest run')
    .option('-f, --follow', 'go on until the run ends')
    .option('--raw', 'all that the agent printed, as it printed it')
    .addOption(new Option('--attempt <n>', 'an earlier attempt than the last').argParser(positiveInteger))
    .action(async (names, options) => done(await (await import('./commands/logs.ts')).logs(host, names, own(options))));
  shared(program.command('cancel'))
    .description('end a run, and what a crashed one left behind')
    .argument('[run]', 'its id or the beginning or end of it; default: the newest')
    .action(async (id, options) => done(await (await import('./commands/cancel.ts')).cancel(host, id, own(options))));
  shared(program.command('doctor'))
    .description('whether this machine and project have what runs need')
    .action(async (options) => done(await (await import('./commands/doctor.ts')).doctor(host, own(options))));
  const agent = program.command('agent').description('agents of your own');
  shared(agent.command('check'))
    .description('whether a program speaks the line protocol')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--prompt <text>', 'what it is asked', 'Say hello.')
    .addOption(new Option('--timeout <seconds>', 'until it must have ended').argParser(positiveInteger).default(30))
    .action(async (command, options) => {
      done(await (await import('./commands/agent.ts')).agentCheck(host, command, own(options)));
    });
  shared(program.command('init'))
    .description('write a small workflow that runs')
    .argument('[dir]', 'default: the current folder')
    .action(async (dir, options) => done(await (await import('./commands/init.ts')).init(host, dir, own(options))));
  const config = program.command('config').description('the settings');
  shared(config.command('explain'))
    .description('what a setting is, who set it, and what that hid')
    .argument('[path]', 'such as cache.diskMaxBytes; default: all')
    .option('--profile <name>', 'as if this profile were chosen')
    .option('--show-secrets', 'variables and whatever else is named like a secret, which are shown as *** otherwise')
    .action(async (path, options) => {
      const { configExplain } = await import('./commands/config-explain.ts');
      done(await configExplain(host, path, own(options)));
    });
  shared(config.command('profiles'))
    .description('the profiles there are, and why each of their values is what it is')
    .argument('[name]', 'default: all')
    .action(async (name, options) => {
      const { configProfiles } = await import('./commands/config-profiles.ts');
      done(await configProfiles(host, name, own(options)));
    });
  shared(config.command('trust'))
    .description('what the project would set that only you may, and how to let it')
    .argument('[dir]', 'default: the current folder')
    .option('--accept <digest>', 'trust the settings file that was shown with this digest')
    .option('--list', 'all files that are trusted')
    .action(async (dir, options) => {
      const { configTrust } = await import('./commands/config-trust.ts');
      done(await configTrust(host, dir, own(options)));
    });
  shared(config.command('untrust'))
    .description('take the trust in a folder back')
    .argument('[dir]', 'default: the current folder')
    .action(async (dir, options) => {
      const { configUntrust } = await import('./commands/config-trust.ts');
      done(await configUntrust(host, dir, own(options)));
    });
  const cache = program.command('cache').description('what is kept of results, for later runs');
  shared(cache.command('stats'))
    .description('how many results are kept, and what room they take')
    .action(async (options) => done(await (await import('./commands/cache.ts')).cacheStats(host, own(options))));
  shared(cache.command('clear'))
    .description('remove them all: the next run does everything again')
    .action(async (options) => done(await (await import('./commands/cache.ts')).cacheClear(host, own(options))));
  shared(cache.command('verify'))
    .description('open every result, and remove what is not as it was sealed')
    .action(async (options) => done(await (await import('./commands/cache.ts')).cacheVerify(host, own(options))));
  shared(cache.command('export'))
    .description('write all results to a file, for another machine or a later job')
    .argument('<file>', 'replaced if it is there')
    .action(async (file, options) => {
      done(await (await import('./commands/cache.ts')).cacheExport(host, file, own(options)));
    });
  shared(cache.command('warm'))
    .description('take in what `export` wrote, so that the next run finds it')
    .argument('<file>', 'what `cadre cache export` wrote')
    .action(async (file, options) => {
      done(await (await import('./commands/cache.ts')).cacheWarm(host, file, own(options)));
    });
  const jsonl = program.command('jsonl').description('files of JSON lines: whether they are sound, and mending them');
  const reading = (command: Command): Command =>
    shared(command)
      .addOption(
        new Option('--checksum <how>', 'what checksums of lines mean')
          .choices(['ignore', 'verify', 'require'])
          .default('verify'),
      )
      .option('--accept-tail', 'a last line without a newline is a line like others');
  reading(jsonl.command('check'))
    .description('what in files is not a record, and where; over all parts of a log')
    .argument('<files...>', 'the files')
    .addOption(new Option('--list <n>', 'damaged lines shown of each file').argParser(positiveInteger).default(20))
    .action(async (files, options) => {
      done(await (await import('./commands/jsonl.ts')).jsonlCheck(host, files, own(options)));
    });
  reading(jsonl.command('repair'))
    .description('take out what is damaged, and keep it and the old file beside')
    .argument('<file>', 'which no program must have open')
    .option('--output <file>', 'where the valid lines go; default: in its place')
    .action(async (file, options) => {
      done(await (await import('./commands/jsonl.ts')).jsonlRepair(host, file, own(options)));
    });
  shared(jsonl.command('tail'))
    .description('the last records of a file')
    .argument('<file>', 'also one that is yet to come, with -f')
    .addOption(new Option('-n, --lines <n>', 'how many').argParser(wholeNumber).default(10))
    .option('-f, --follow', 'and those to come, until ctrl-C')
    .action(async (file, options) => {
      done(await (await import('./commands/jsonl-tail.ts')).jsonlTail(host, file, own(options)));
    });
  return program;
}

/** Options as given: a default that is only there for the help text is no choice of the user's. */
function own<Options extends { project?: string }>(options: Options): Options {
  if (options.project !== '.') return options;
  const { project: _, ...rest } = options;
  return rest as Options;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1 to 10,000.');
  return Number(text);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 0 to 999,999,999.');
  return Number(text);
}

function exitCodeHelp(): string {
  const lines = Object.entries(exitCodes).map(([name, code]) => {
    return `  ${String(code).padStart(3)}  ${exitCodeTexts[name as keyof typeof exitCodes]}`;
  });
  return `\nExit codes:\n${lines.join('\n')}\n`;
}
