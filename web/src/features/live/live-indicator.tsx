import { useNow } from '../../lib/clock.ts';
import { span } from '../../lib/time.ts';
import type { LiveState } from './stream.ts';

/** Whether what the page shows is current, in words. */
export function LiveIndicator({ state, hubAnswers }: { state: LiveState; hubAnswers: boolean }) {
  const live = state.kind === 'live' && hubAnswers;
  return (
    <span
      role="status"
      data-live={live}
      className={`flex items-center gap-1.5 rounded-md px-2 py-0.5 ${live ? 'text-muted' : 'bg-warn/12 text-warn'}`}
    >
      <span aria-hidden className={`size-2 rounded-full ${live ? 'bg-good' : 'animate-pulse bg-warn'}`} />
      {live ? 'Live' : <Interrupted state={state} />}
    </span>
  );
}

function Interrupted({ state }: { state: LiveState }) {
  const now = useNow();
  if (state.kind === 'connecting') return <>Connecting …</>;
  if (state.kind === 'live') return <>The hub does not answer</>;
  return <>Not live for {span(now - state.since)}, reconnecting …</>;
}
