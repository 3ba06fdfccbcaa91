import type { ClusterView } from '@muster/api';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';
import { exactly } from '../../lib/time.ts';
import { Drawer, Facts, Section } from '../../ui/drawer.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Ago, Button, Chip, SkeletonRows, StateWord } from '../../ui/parts.tsx';
import { applicationsQuery } from '../applications/queries.ts';
import { healthTone, isSilent, keyOf, syncTone } from '../applications/state.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { allows } from '../session/permissions.ts';
import { sessionQuery } from '../session/queries.ts';
import { ConnectionWord } from './cluster-cell.tsx';
import { connectionOf } from './connection.ts';
import { clustersQuery } from './queries.ts';

export function ClusterPanel({ name, onClose }: { name: string; onClose: () => void }) {
  const { data, error, isPending, refetch } = useQuery(clustersQuery);
  const cluster = data?.find((each) => each.name === name);
  return (
    <Drawer
      title={name}
      subtitle={cluster && <ConnectionWord connection={connectionOf(cluster)} />}
      onClose={onClose}
    >
      {cluster ? (
        <Content cluster={cluster} />
      ) : error ? (
        <ErrorNotice error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <SkeletonRows count={5} />
      ) : (
        <p className="p-4 text-muted">There is no cluster {name}.</p>
      )}
    </Drawer>
  );
}

function Content({ cluster }: { cluster: ClusterView }) {
  const labels = Object.entries(cluster.labels);
  return (
    <>
      {(cluster.state === 'pending' || cluster.state === 'recovered') && <Approval cluster={cluster} />}
      {cluster.cloned && (
        <Section title="Presented twice">
          <p className="text-bad">
            Another cluster (UID {cluster.cloned.uid}) presented this cluster’s identity{' '}
            <Ago at={cluster.cloned.at} suffix=" ago" /> and was refused.
          </p>
        </Section>
      )}
      <Section title="Facts">
        <Facts
          facts={[
            ['Last seen', cluster.lastSeenAt && <Ago at={cluster.lastSeenAt} suffix=" ago" />],
            [
              'Connected since',
              cluster.connection === 'connected' && cluster.connectedAt && exactly(cluster.connectedAt),
            ],
            ['Kubernetes', cluster.kubernetesVersion],
            ['Nodes', cluster.nodeCount],
            ['Platform', cluster.platform],
            ['Agent', cluster.agentVersion],
            ['Accepts', cluster.limits && acceptsText(cluster.limits)],
            ['Limited to', (cluster.limits?.namespaces ?? cluster.namespaces).join(', ')],
            ['Kinds', cluster.limits?.kinds.join(', ')],
            [
              'Server',
              <code key="server" className="font-mono text-xs">
                {cluster.server}
              </code>,
            ],
            [
              'UID',
              cluster.kubeSystemUid && <code className="font-mono text-xs">{cluster.kubeSystemUid}</code>,
            ],
            ['Joined', exactly(cluster.createdAt)],
            [
              'Approved',
              cluster.approvedAt && `${exactly(cluster.approvedAt)} by ${cluster.approvedBy ?? 'its token'}`,
            ],
            [
              'Removal',
              cluster.removal && `${cluster.removal.mode}, asked for ${exactly(cluster.removal.requestedAt)}`,
            ],
          ]}
        />
      </Section>
      <Section title="Labels">
        {labels.length === 0 ? (
          <p className="text-muted">None: sets that select clusters by label leave it out.</p>
        ) : (
          <div className="flex flex-wrap gap-1">
            {labels.map(([key, value]) => (
              <Chip key={key} title={`${key}=${value}`}>
                {key}={value}
              </Chip>
            ))}
          </div>
        )}
      </Section>
      <Applications name={cluster.name} />
    </>
  );
}

function acceptsText({ accepts, observeOnly }: NonNullable<ClusterView['limits']>): string {
  return observeOnly ? `${accepts}: reports everything, changes nothing` : accepts;
}

function Approval({ cluster }: { cluster: ClusterView }) {
  const queries = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const approve = useMutation({
    mutationFn: () => hub.clusters.approve(cluster.name),
    onSuccess: () => queries.invalidateQueries({ queryKey: clustersQuery.queryKey }),
  });
  const uid = cluster.waiting?.kubeSystemUid ?? cluster.kubeSystemUid;
  return (
    <Section title="Waits for an approval">
      <p className="mb-2">
        Compare the UID of its <code className="font-mono">kube-system</code> namespace first:{' '}
        <code className="font-mono text-xs">{uid ?? 'not reported'}</code>
      </p>
      {allows(session, 'approver', '*') ? (
        <Button primary disabled={approve.isPending} onClick={() => approve.mutate()}>
          Approve {cluster.name}
        </Button>
      ) : (
        <p className="text-muted">Somebody with the role approver can approve it.</p>
      )}
      {approve.isError && <ErrorNotice error={approve.error} />}
    </Section>
  );
}

function Applications({ name }: { name: string }) {
  const [, change] = useFleetSearch();
  const { data, error, refetch } = useQuery(applicationsQuery(name));
  return (
    <Section title={`Applications${data ? ` (${data.length})` : ''}`}>
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {data?.length === 0 && <p className="text-muted">None is destined for this cluster.</p>}
      <ul className="-mx-2">
        {(data ?? []).map((app) => (
          <li key={keyOf(app)}>
            <button
              type="button"
              onClick={() => change({ app: keyOf(app) })}
              className="flex w-full items-center gap-3 rounded px-2 py-1 text-left hover:bg-raised"
            >
              <span className="min-w-0 flex-1 truncate">{app.name}</span>
              {isSilent(app) ? (
                <StateWord word="silent" tone="idle">
                  Unknown
                </StateWord>
              ) : (
                <>
                  <StateWord word={app.sync} tone={syncTone(app.sync)} />
                  <StateWord word={app.health} tone={healthTone(app.health)} />
                </>
              )}
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}
