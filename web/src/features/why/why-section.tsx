import type { ApplicationView, WhyView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';
import { exactly } from '../../lib/time.ts';
import { Section } from '../../ui/drawer.tsx';
import { CommandLine, ErrorNotice } from '../../ui/notice.tsx';
import { Ago, Skeleton } from '../../ui/parts.tsx';
import { keyOf } from '../applications/state.ts';
import { split } from '../applications/queries.ts';
import { inLocalTime } from '../rollouts/hub-time.ts';
import { isAsked, kindWord } from './why-state.ts';

/** The chain of what blocks an Application: what blocks it now first, then what comes after that. */
export function WhySection({ app }: { app: ApplicationView }) {
  const key = keyOf(app);
  const { data, error, refetch } = useQuery({
    // Below its Application, so that whatever makes that old makes this old.
    queryKey: ['application', key, 'why'],
    queryFn: ({ signal }) => hub.why(...split(key), {}, { signal }),
    enabled: isAsked(app),
  });
  if (!isAsked(app)) return null;
  if (!data && !error) {
    return (
      <Section title="Why is it not there yet?">
        <Skeleton className="h-10" />
      </Section>
    );
  }
  if (!data) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data.blocked) return null;
  return (
    <Section title="Why is it not there yet?">
      {data.headline !== data.links[0]?.text && (
        <p className="break-words">{inLocalTime(data.headline, Date.now())}</p>
      )}
      <ol className="mt-2 space-y-2">
        {data.links.map((link, i) => (
          <Link key={`${link.kind} ${link.text}`} link={link} first={i === 0} />
        ))}
      </ol>
    </Section>
  );
}

function Link({ link, first }: { link: WhyView['links'][number]; first: boolean }) {
  const { kind, text, since, until, ends, command, who } = link;
  const local = (said: string) => inLocalTime(said, Date.now());
  return (
    <li className={`border-l-3 pl-2.5 ${first ? 'border-l-warn' : 'border-l-line'}`}>
      <p className="break-words">
        <span className={`mr-1.5 font-medium ${first ? 'text-warn' : 'text-muted'}`}>{kindWord(kind)}</span>
        {local(text)}
        {since && (
          <span className="text-muted">
            {' '}
            (for <Ago at={since} />)
          </span>
        )}
      </p>
      {(ends ?? until ?? who) && (
        <p className="text-xs break-words text-muted">
          {[
            ends && `Until ${local(ends)}.`,
            until && `At the latest ${exactly(until)}.`,
            who && `Who can end it: ${who}.`,
          ]
            .filter(Boolean)
            .join(' ')}
        </p>
      )}
      {command && (
        <div className="mt-1">
          <CommandLine text={command} />
        </div>
      )}
    </li>
  );
}
