/**
 * What the small programs of the waiting slots run, and the text that turns a waiting shell into a program.
 *
 * Three of them: the _nursery_, the one program that this process forks itself; _keepers_, each an `awk` that forks one
 * waiting shell after the other and says how it ended (`system` of awk tells an exit code of 130 from a death by
 * SIGINT, which `$?` of a shell can't); and the _slot_, a shell in a session of its own whose script is a named
 * pipe, and ends with an exec.
 */

/**
 * Made for a keeper at once: the program `mkfifo` costs more than its pipes. Their names are removed two batches later, since ours
 * may be slow to open them.
 */
const slotsPerBatch = 8;

export const nurseryStart =
  'mkdir -m 700 "$SPAWNER_DIRECTORY" && cd "$SPAWNER_DIRECTORY" && exec awk "$SPAWNER_NURSERY"';

/**
 * Reads orders (`keep NAME…`, `reap NAME`), each by a shell of its own, which takes no byte too many. A command that awk
 * prints to is its child and runs beside it; other than one started by `&` it can still be interrupted.
 *
 * When its input ends, we have closed or are dead: shells that are just then opening a pipe to us are let go until
 * the last keeper has ended.
 */
export const nurseryProgram = `
BEGIN {
  command = "exec awk \\"$SPAWNER_KEEPER\\" "
  order = "read -r line && echo \\"$line\\""
  while ((order | getline line) > 0) {
    close(order)
    count = split(line, words)
    if (words[1] == "reap") {
      close(command words[2])
      delete keepers[command words[2]]
      continue
    }
    names = ""
    for (i = 2; i <= count; i++) {
      slot = words[i] ".0"
      names = names " " slot ".in " slot ".out " slot ".err " slot ".run"
    }
    system("mkfifo -m 600" names)
    for (i = 2; i <= count; i++) {
      keeper = command words[i]
      printf "" | keeper
      fflush(keeper)
      keepers[keeper] = 1
    }
  }
  system(": >closed")
  release = "n=0; while [ -e closed ]; do for pipe in *.*; do [ -p \\"$pipe\\" ] && : <>\\"$pipe\\"; done; n=$((n + 1)); if [ $n -lt 20 ]; then sleep 0.05 || sleep 1; else sleep 1; fi; done 2>/dev/null"
  printf "" | release
  fflush(release)
  for (keeper in keepers) close(keeper)
  system("rm -f closed")
  close(release)
  system("cd / && rm -rf \\"$SPAWNER_DIRECTORY\\"")
}
`;

export const keeperProgram = `
BEGIN {
  keeper = ARGV[1]
  for (n = 0; ; n++) {
    if ((getline line < "closed") >= 0 || (getline line < (keeper ".stop")) >= 0) break
    if (n % ${slotsPerBatch} == 1) {
      if (old != "") system("rm -f" old)
      old = names
      names = ""
      for (i = n; i < n + ${slotsPerBatch}; i++) {
        slot = keeper "." i
        names = names " " slot ".in " slot ".out " slot ".err " slot ".run"
      }
      if (system("mkfifo -m 600" names) != 0) break
    }
    print "made " keeper "." n
    fflush()
    status = system("exec setsid sh " keeper "." n ".in")
    print "exit " keeper "." n " " status
    fflush()
  }
  system("rm -f " keeper ".*")
  print "gone " keeper
  fflush()
}
`;

/**
 * The first lines of the script that a slot is run as: its script is the named pipe that we write to. Descriptor 4 is
 * closed by the exec and by nothing else: its end is how the parent learns that the program runs.
 */
export const slotPrologue = `
slot=$PWD/\${0%.in}
exec 3>&1 0<"$slot.in" 1>"$slot.out" 2>"$slot.err" 4>"$slot.run" || exit
echo "ready \${slot##*/} $$" >&3
exec 3>&-
unset SPAWNER_NURSERY SPAWNER_KEEPER SPAWNER_DIRECTORY PATH OLDPWD
`;

export interface SlotCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: 'closed' | 'pipe';
}

/** What a shell gives a meaning of its own to, in dash, bash or busybox. */
const shellVariables =
  /^(_|IFS|LINENO|OPTIND|OPTARG|OPTERR|PPID|PS\d|PWD|OLDPWD|UID|EUID|GROUPS|ENV|FUNCNAME|RANDOM|SECONDS|SRANDOM|EPOCH\w*|HIST\w*|SHELLOPTS|POSIXLY_CORRECT|MAIL\w*|DIRSTACK|HOSTNAME|HOSTTYPE|MACHTYPE|OSTYPE|SHLVL|COMP_\w*|BASH\w*)$/;

/** False for the few commands that a shell can't `exec` as they are; they take the way without a slot. */
export function fitsSlot(command: Omit<SlotCommand, 'stdin'>): boolean {
  if (command.command.startsWith('-')) return false;
  if (/[%]|^$|^:|::|:$/.test(command.env.PATH ?? '/bin')) return false;
  return Object.keys(command.env).every((name) => /^[A-Za-z_]\w*$/.test(name) && !shellVariables.test(name));
}

/**
 * Single quotes take every byte but a single quote as it is, so the only thing ever replaced is that one.
 * Cost: linear in the text; the shell reads it in blocks.
 */
export function slotFrame({ command, args, cwd, env, stdin }: SlotCommand): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`);
  return [
    `echo begun >&4`,
    `trap 'echo "failed $?" >"$slot.run"' EXIT`,
    `cd ${quote(cwd)} || exit 126`,
    ...(stdin === 'closed' ? ['exec </dev/null'] : []),
    'unset PWD OLDPWD SHLVL _',
    ...(env.PATH === undefined ? ['PATH=/usr/bin:/bin'] : []),
    ...(settings.length > 0 ? [`export ${settings.join(' ')}`] : []),
    `{ exec ${[command, ...args].map(quote).join(' ')}; } 4>&-\n`,
  ].join('\n');
}

/** Makes the keeper of a surplus slot end. */
export function retireFrame(keeper: string): string {
  return `: >"\${slot%/*}/${keeper}.stop"; exit 0\n`;
}

/** A word that every POSIX shell reads back as exactly `text`. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
