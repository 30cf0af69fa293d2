/** Texts that a shell runs: how a word is written so that it stays one, and what can't be written at all. */

/** What a shell gives a meaning of its own to, in dash, bash or busybox. */
const shellVariables =
  /^(_|IFS|LINENO|OPTIND|OPTARG|OPTERR|PPID|PS\d|PWD|OLDPWD|UID|EUID|GROUPS|ENV|FUNCNAME|RANDOM|SECONDS|SRANDOM|EPOCH\w*|HIST\w*|SHELLOPTS|POSIXLY_CORRECT|MAIL\w*|DIRSTACK|HOSTNAME|HOSTTYPE|MACHTYPE|OSTYPE|SHLVL|COMP_\w*|BASH\w*)$/;

/** False for the few commands that a shell can't `exec` as they are. */
export function fitsShell(command: string, env: Readonly<Record<string, string>>): boolean {
  if (command.startsWith('-')) return false;
  if (/[%]|^$|^:|::|:$/.test(env.PATH ?? '/bin')) return false;
  return Object.keys(env).every((name) => /^[A-Za-z_]\w*$/.test(name) && !shellVariables.test(name));
}

/** A word that every POSIX shell reads back as exactly `text`: single quotes take every byte but one of their own as it is. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
