import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CirclePause,
  FastForward,
  GitCompareArrows,
  GitPullRequestArrow,
  Hand,
  HeartCrack,
  HeartPulse,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  PlugZap,
  Undo2,
  WifiOff,
} from 'lucide-react';

/** One icon a word, so that colour is never the only sign. */
const ICONS: Record<string, LucideIcon> = {
  Synced: CircleCheck,
  OutOfSync: GitCompareArrows,
  Healthy: HeartPulse,
  Progressing: LoaderCircle,
  Degraded: HeartCrack,
  Suspended: CirclePause,
  Missing: CircleDashed,
  connected: PlugZap,
  silent: WifiOff,
  pending: Hourglass,
  failed: CircleAlert,
  'pull-request': GitPullRequestArrow,
  // Rollouts, their gates and their targets.
  running: LoaderCircle,
  'rolling-back': Undo2,
  'rolled-back': Undo2,
  completed: CircleCheck,
  aborted: Ban,
  superseded: FastForward,
  paused: CirclePause,
  open: Hand,
  passed: CircleCheck,
  skipped: Ban,
  moving: LoaderCircle,
  waiting: Hourglass,
  back: Undo2,
  done: CircleCheck,
  out: Ban,
};

const TURNING = new Set(['Progressing', 'running', 'moving']);

export function StateIcon({ word, className = '' }: { word: string; className?: string }) {
  const Icon = ICONS[word] ?? CircleHelp;
  return (
    <Icon
      aria-hidden
      className={`size-3.5 shrink-0 ${TURNING.has(word) ? 'spin' : ''} ${className}`}
      strokeWidth={2.2}
    />
  );
}
