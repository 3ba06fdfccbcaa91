import type { ApplicationView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { exactly } from '../../lib/time.ts';
import { Drawer, Section } from '../../ui/drawer.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Ago, SkeletonRows, StateWord } from '../../ui/parts.tsx';
import { ObservedAgo } from '../fleet/fleet-header.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { ObjectPanel } from '../resources/object-panel.tsx';
import { PinSection } from '../pins/pin-section.tsx';
import { RolloutSection } from '../rollouts/rollout-section.tsx';
import { WhySection } from '../why/why-section.tsx';
import { Actions } from './actions.tsx';
import { History } from './history.tsx';
import { OperationSection } from './operation.tsx';
import { applicationQuery } from './queries.ts';
import { Resources } from './resources.tsx';
import { SourceSection } from './source-section.tsx';
import { healthTone, isError, syncTone } from './state.ts';

/** One Application: what is wrong first, then what it is, then what it consists of. */
export function ApplicationPanel({ appKey, onClose }: { appKey: string; onClose: () => void }) {
  const { data: app, error, refetch } = useQuery(applicationQuery(appKey));
  const name = appKey.slice(appKey.indexOf('/') + 1);
  const [search, change] = useFleetSearch();
  return (
    <Drawer
      title={name}
      subtitle={app && <Subtitle app={app} />}
      onClose={onClose}
      beside={
        app &&
        search.object !== undefined && <ObjectPanel key={search.object} app={app} resource={search.object} />
      }
      onCloseBeside={() => change({ object: undefined, tab: undefined })}
    >
      {error ? (
        <ErrorNotice error={error} retry={() => void refetch()} />
      ) : app ? (
        <>
          <Actions app={app} />
          <Conditions app={app} />
          <PinSection app={app} />
          <RolloutSection app={app} />
          <WhySection app={app} />
          <SourceSection app={app} />
          <OperationSection app={app} />
          <Resources app={app} />
          <History appKey={appKey} />
        </>
      ) : (
        <SkeletonRows count={8} />
      )}
    </Drawer>
  );
}

function Subtitle({ app }: { app: ApplicationView }) {
  const [, change] = useFleetSearch();
  const silentSince = app.clusterState?.silentSince;
  const { cluster } = app.destination;
  return (
    <div className="flex flex-wrap items-center gap-x-3">
      {silentSince ? (
        <StateWord word="silent" tone="idle">
          Unknown since <Ago at={silentSince} />
        </StateWord>
      ) : (
        <>
          <StateWord word={app.sync} tone={syncTone(app.sync)} />
          <StateWord word={app.health} tone={healthTone(app.health)} />
        </>
      )}
      {cluster && (
        <span>
          on{' '}
          <button
            type="button"
            className="text-accent hover:underline"
            onClick={() => change({ app: undefined, about: cluster })}
          >
            {cluster}
          </button>
        </span>
      )}
      <span>
        <ObservedAgo at={app.observedAt} />
        {/* Agents report what changes; while one is connected, its last word holds. */}
        {app.clusterState?.connected && <span className="text-muted">, cluster connected</span>}
      </span>
    </div>
  );
}

/** In words, what is not as it should be. */
function Conditions({ app }: { app: ApplicationView }) {
  const { conditions, leaving, healthMessage } = app;
  const silentSince = app.clusterState?.silentSince;
  const unhealthy = healthMessage !== '' && app.health !== 'Healthy' && !silentSince;
  if (conditions.length === 0 && !leaving && !unhealthy && !silentSince) return null;
  return (
    <Section title="What is wrong">
      <ul className="space-y-2">
        {silentSince && (
          <li>
            The cluster has not been heard from since {exactly(silentSince)}. What is below is what it
            reported last.
          </li>
        )}
        {conditions.map(({ type, message, since }) => (
          <li key={`${type} ${message}`}>
            <span className={isError(type) ? 'font-medium text-bad' : 'font-medium text-warn'}>{type}</span>{' '}
            {since && (
              <span className="text-muted">
                for <Ago at={since} />
              </span>
            )}
            <p className="break-words whitespace-pre-wrap">{message}</p>
          </li>
        ))}
        {unhealthy && (
          <li>
            <StateWord word={app.health} tone={healthTone(app.health)} />
            <p className="break-words whitespace-pre-wrap">{healthMessage}</p>
          </li>
        )}
        {leaving && (
          <li className="text-warn">
            {leaving.signed ? 'It is being taken away' : `It leaves at ${exactly(leaving.at)}`} (
            {leaving.action === 'orphan' ? 'its resources stay' : 'its resources are deleted'}).{' '}
            {leaving.held && `Held: ${leaving.held}`}
            {leaving.waits && <p className="break-words whitespace-pre-wrap">{leaving.waits}</p>}
          </li>
        )}
      </ul>
    </Section>
  );
}
