import type { ApplicationView } from '@muster/api';
import { Milestone } from 'lucide-react';
import { TEXT } from '../../ui/tone.ts';
import { badgeOf } from './rollout-state.ts';

/** That a rollout decides about an Application: `waits`, `held`, `pinned`, `failed`. */
export function RolloutBadge({ rollout }: { rollout: NonNullable<ApplicationView['rollout']> }) {
  const { word, tone, says } = badgeOf(rollout);
  return (
    <span
      title={says}
      className={`inline-flex items-center gap-1 rounded bg-raised px-1.5 text-[11px] leading-4.5 font-medium whitespace-nowrap ${TEXT[tone]}`}
    >
      <Milestone className="size-3" aria-hidden /> {word}
    </span>
  );
}
