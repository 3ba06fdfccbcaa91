import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CirclePause,
  GitCompareArrows,
  HeartCrack,
  HeartPulse,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  PlugZap,
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
};

export function StateIcon({ word, className = '' }: { word: string; className?: string }) {
  const Icon = ICONS[word] ?? CircleHelp;
  return (
    <Icon
      aria-hidden
      className={`size-3.5 shrink-0 ${word === 'Progressing' ? 'spin' : ''} ${className}`}
      strokeWidth={2.2}
    />
  );
}
