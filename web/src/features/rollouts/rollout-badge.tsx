import { Milestone, Pin } from 'lucide-react';
import { TEXT } from '../../ui/tone.ts';
import type { Badge } from './rollout-state.ts';

/** That a rollout or a pin decides about an Application: `waits`, `held`, `pinned`, `failed`. */
export function RolloutBadge({ badge: { word, tone, says } }: { badge: Badge }) {
  const Icon = word === 'pinned' ? Pin : Milestone;
  return (
    <span
      title={says}
      className={`inline-flex items-baseline gap-1 rounded bg-raised px-1.5 text-[11px] leading-4.5 font-medium whitespace-nowrap ${TEXT[tone]}`}
    >
      <Icon className="size-3 self-center" aria-hidden /> {word}
    </span>
  );
}
