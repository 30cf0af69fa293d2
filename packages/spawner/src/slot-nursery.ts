/**
 * The program of the waiting slots, the one that this process forks itself. It forks the slots ahead and tells how the
 * programs that they become have ended; a slot makes a session of its own, waits for its command, and execs it. Perl, since
 * nearly every Linux has it, and it forks, waits and execs as C does: a shell leads no session, and takes an exit code of 130 for
 * a death by SIGINT.
 */

/** In order; each is one line of its output, or one byte of its input. */
export const nurseryWord = {
  /** To it: one more slot. The end of its input closes it. */
  make: 'm',
  /** From it: it works. */
  open: 'open',
  /** From a slot, with name and pid: open its pipes, and write the byte that lets it go on; */
  made: 'made',
  go: 'g',
  /** with its name: it has opened them too, and waits for a command. */
  waiting: 'waiting',
  /** From it, with the name of a slot and its end: the exit code, or 256 and the number of the signal. */
  exit: 'exit',
} as const;

/** Orders that are taken at once; an exit code says how many. */
const ordersAtOnce = 200;

/** A slot that nobody opens in this time ends: its nursery, which would have seen to that, was killed. */
const patienceSeconds = 10;

/**
 * It waits for orders and for the ends of programs in one place, without missing any: a child takes the orders, and ends.
 *
 * A slot's names lie in the folder until our ends of its pipes are open; one that still has its names when the nursery closes waits for
 * nobody, and is killed. `run` is closed by the exec and by nothing else: its end is how the parent learns that the program runs.
 * Descriptors above 2 are closed by an exec, as Perl has it.
 */
export const nurseryProgram = `
use strict;
use POSIX ();
my ($folder) = @ARGV;
my @pipes = qw(in out err run);
my (%slots, $next, $orders);
$0 = 'spawn-slots';
$SIG{PIPE} = 'IGNORE';
mkdir $folder, 0700 or exit 1;
chdir $folder or exit 1;
report('${nurseryWord.open}');
take_orders();
for (;;) {
  my $pid = wait;
  if ($pid < 0) {
    next if $! == POSIX::EINTR();
    last;
  }
  my $status = $? & 127 ? 256 + ($? & 127) : $? >> 8;
  if ($pid == $orders) {
    if ($status == 0) {
      kill 'KILL', $_ for grep { -e "$slots{$_}.in" } keys %slots;
      next;
    }
    if ($status < 256) { make_slot() for 1 .. $status }
    take_orders();
  } elsif (defined(my $name = delete $slots{$pid})) {
    report('${nurseryWord.exit}', $name, $status);
    unlink map { "$name.$_" } @pipes if -e "$name.run";
  }
}
chdir '/';
rmdir $folder;

sub report { syswrite STDOUT, "@_\\n" }

sub take_orders {
  until (defined($orders = fork)) { select undef, undef, undef, 0.05 }
  return if $orders;
  $0 = 'spawn-slots orders';
  POSIX::_exit(sysread(STDIN, my $taken, ${ordersAtOnce}) || 0);
}

sub make_slot {
  my $name = 's' . $next++;
  my $made = grep { POSIX::mkfifo("$name.$_", 0600) } @pipes;
  my $pid = $made == @pipes ? fork : undef;
  if (!defined $pid) {
    unlink map { "$name.$_" } @pipes;
    select undef, undef, undef, 0.05;
    report('${nurseryWord.exit}', $name, 1);
    return;
  }
  become($name) if $pid == 0;
  $slots{$pid} = $name;
}

sub become {
  my ($name) = @_;
  $SIG{PIPE} = 'DEFAULT';
  POSIX::setsid();
  $0 = "spawn-slot $name";
  sysopen my $held, "$name.in", POSIX::O_RDWR() or POSIX::_exit(1);
  alarm ${patienceSeconds};
  report('${nurseryWord.made}', $name, $$);
  sysread $held, my $word, 1;
  sysopen my $in, "$name.in", POSIX::O_RDONLY() or POSIX::_exit(1);
  my ($out, $err, $run) = map { sysopen my $pipe, "$name.$_", POSIX::O_WRONLY() or POSIX::_exit(1); $pipe } qw(out err run);
  alarm 0;
  unlink map { "$name.$_" } @pipes;
  report('${nurseryWord.waiting}', $name);
  POSIX::dup2(fileno $in, 0);
  POSIX::dup2(fileno $out, 1);
  POSIX::dup2(fileno $err, 2);
  close $_ for $held, $in, $out, $err;
  my $frame = take(unpack 'V', take(4));
  syswrite $run, 'begun';
  my ($stdin, $folder, $count, @words) = split /\\0/, $frame, -1;
  my @command = splice @words, 0, $count;
  if ($stdin eq 'closed') {
    POSIX::close(0);
    POSIX::open('/dev/null', POSIX::O_RDONLY());
  }
  %ENV = map { split /=/, $_, 2 } @words;
  chdir $folder and exec { $command[0] } @command;
  syswrite $run, ' failed ' . ($! + 0);
  POSIX::_exit(127);
}

sub take {
  my ($length) = @_;
  my $bytes = '';
  while (length $bytes < $length) {
    sysread STDIN, $bytes, $length - length $bytes, length $bytes or POSIX::_exit(0);
  }
  return $bytes;
}
`;

export interface SlotCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: 'closed' | 'pipe';
}

/** None of its texts holds a NUL, as `spawnProcess` has seen to. */
export function slotFrame({ command, args, cwd, env, stdin }: SlotCommand): Buffer {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = [stdin, cwd, String(args.length + 1), command, ...args, ...settings];
  const body = Buffer.from(words.join('\0'));
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32LE(body.length);
  frame.set(body, 4);
  return frame;
}
