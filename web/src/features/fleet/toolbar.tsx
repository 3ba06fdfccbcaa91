import { useQuery } from '@tanstack/react-query';
import { Grid3x3, List, Milestone, X } from 'lucide-react';
import { CheckField } from '../../ui/field.tsx';
import { Button } from '../../ui/parts.tsx';
import { Segment, Segments } from '../../ui/segments.tsx';
import { HEALTH_WORDS, SYNC_WORDS } from '../applications/state.ts';
import { clustersQuery } from '../clusters/queries.ts';
import { PHASE_NAMES } from '../rollouts/rollout-state.ts';
import { Choice, SearchField } from './filters.tsx';
import { projectsQuery, setsQuery } from './queries.ts';
import { type FleetSearch, isFiltered, shownView } from './search.ts';
import { useFleetSearch } from './use-search.ts';

const NONE: FleetSearch = {
  q: undefined,
  cluster: undefined,
  set: undefined,
  sync: undefined,
  health: undefined,
  connection: undefined,
  attention: undefined,
  phase: undefined,
  project: undefined,
  open: undefined,
};

/** View and filters; all of them are in the address, so that a link shows the same. */
export function Toolbar() {
  const [search, change] = useFleetSearch();
  const view = shownView(search);
  const delivery = view === 'rollouts' || view === 'promotions' || view === 'policies';
  const single = search.rollout !== undefined || search.promotion !== undefined || search.b !== undefined;
  return (
    <div
      role="search"
      className="flex flex-wrap items-center gap-2 border-t border-line bg-panel px-4 py-1.5"
    >
      <Segments label="View">
        <Segment active={view === undefined} onClick={() => change({ view: undefined })}>
          <Grid3x3 className="size-3.5" aria-hidden /> Matrix
        </Segment>
        <Segment
          active={view === 'list'}
          onClick={() => change({ view: 'list', connection: undefined, attention: undefined })}
        >
          <List className="size-3.5" aria-hidden /> Applications
        </Segment>
        <Segment active={delivery} onClick={() => change({ ...NONE, view: 'rollouts' })}>
          <Milestone className="size-3.5" aria-hidden /> Rollouts
        </Segment>
      </Segments>
      {delivery ? !single && <DeliveryFilters view={view} /> : <FleetFilters list={view === 'list'} />}
      {isFiltered(search) && !single && (
        <Button className="border-transparent text-muted" onClick={() => change(NONE)}>
          <X className="size-3.5" aria-hidden /> Clear
        </Button>
      )}
    </div>
  );
}

const DELIVERY = {
  rollouts: { label: 'All', searches: 'ApplicationSet' },
  promotions: { label: 'Promotions', searches: 'Promotion' },
  policies: { label: 'Policies', searches: 'Policy' },
} as const;
const DELIVERY_VIEWS = ['rollouts', 'promotions', 'policies'] as const;

/** How releases get somewhere: rollouts, promotions, and the policies that they go by. */
function DeliveryFilters({ view }: { view: keyof typeof DELIVERY }) {
  const [, change] = useFleetSearch();
  return (
    <>
      <Segments label="Rollouts, promotions or policies">
        {DELIVERY_VIEWS.map((each) => (
          <Segment key={each} active={view === each} onClick={() => change({ ...NONE, view: each })}>
            {DELIVERY[each].label}
          </Segment>
        ))}
      </Segments>
      <SearchField key={view} placeholder={DELIVERY[view].searches} />
      {view === 'rollouts' && <RolloutFilters />}
    </>
  );
}

function RolloutFilters() {
  const [search, change] = useFleetSearch();
  const { data: projects } = useQuery(projectsQuery);
  return (
    <>
      <Choice
        label="Phase"
        value={search.phase}
        options={PHASE_NAMES}
        onChange={(phase) => change({ phase })}
      />
      <Choice
        label="Project"
        value={search.project}
        options={projects ?? []}
        onChange={(project) => change({ project })}
      />
      <CheckField checked={search.open ?? false} onChange={(open) => change({ open: open || undefined })}>
        Open only
      </CheckField>
    </>
  );
}

function FleetFilters({ list }: { list: boolean }) {
  const [search, change] = useFleetSearch();
  const { data: clusters = [] } = useQuery(clustersQuery);
  const { data: sets = [] } = useQuery(setsQuery);
  const setKeys = sets.map(({ namespace, name }) => `${namespace}/${name}`).sort();
  return (
    <>
      <SearchField key={String(list)} placeholder={list ? 'Application' : 'Cluster or label, env=prod'} />
      {list && (
        <Choice
          label="Cluster"
          value={search.cluster}
          options={clusters.map(({ name }) => name).sort()}
          onChange={(cluster) => change({ cluster })}
        />
      )}
      <Choice label="Set" value={search.set} options={setKeys} onChange={(set) => change({ set })} />
      <Choice label="Sync" value={search.sync} options={SYNC_WORDS} onChange={(sync) => change({ sync })} />
      <Choice
        label="Health"
        value={search.health}
        options={HEALTH_WORDS}
        onChange={(health) => change({ health })}
      />
      {!list && (
        <>
          <Choice
            label="Connection"
            value={search.connection}
            options={['connected', 'silent', 'pending']}
            onChange={(connection) => change({ connection: connection as FleetSearch['connection'] })}
          />
          <CheckField
            checked={search.attention ?? false}
            onChange={(attention) => change({ attention: attention || undefined })}
          >
            Needs attention
          </CheckField>
        </>
      )}
    </>
  );
}
