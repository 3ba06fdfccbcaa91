import { useQuery } from '@tanstack/react-query';
import { AgainButton } from '../../ui/again-button.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Ago, SkeletonRows } from '../../ui/parts.tsx';
import { readKey } from './object-key.ts';
import { eventsQuery } from './queries.ts';

/** What happened to the object and to what it owns, newest first. */
export function EventsTab({ appKey, resource }: { appKey: string; resource: string }) {
  const { data, error, isFetching, refetch } = useQuery(eventsQuery(appKey, resource));
  if (error && !data) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonRows count={3} />;
  const own = readKey(resource);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-4 py-3">
      <div className="mb-2 flex items-center gap-3">
        <p className="flex-1 text-muted">
          {data.items.length === 0
            ? 'No events: clusters forget them after an hour or so.'
            : 'Of this object and what it owns, newest first.'}
        </p>
        <AgainButton label="Look again" busy={isFetching} onClick={() => void refetch()} />
      </div>
      {error && <ErrorNotice error={error} />}
      {data.notes.map((note) => (
        <p key={note} className="text-warn">
          {note}
        </p>
      ))}
      {data.truncated && <p className="text-warn">Older events are left out.</p>}
      <ul className="divide-y divide-line/60">
        {data.items.map((event, i) => (
          <li key={`${i} ${event.lastAt} ${event.reason} ${event.object.name}`} className="py-1.5">
            <p className="flex flex-wrap items-baseline gap-x-3">
              <span className={event.type === 'Normal' ? 'font-medium' : 'font-medium text-warn'}>
                {event.reason}
                {event.type !== 'Normal' && ` (${event.type})`}
              </span>
              {(event.object.kind !== own?.kind || event.object.name !== own.name) && (
                <span className="min-w-0 break-all text-muted">
                  {event.object.kind} {event.object.name}
                </span>
              )}
              <span className="ml-auto text-xs text-muted">
                {event.lastAt && <Ago at={event.lastAt} suffix=" ago" />}
                {event.count > 1 && `, ${event.count} times`}
              </span>
            </p>
            <p className="break-words whitespace-pre-wrap">{event.message}</p>
            {event.source && <p className="text-xs text-muted">{event.source}</p>}
          </li>
        ))}
      </ul>
    </div>
  );
}
