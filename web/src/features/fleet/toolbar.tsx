import { useQuery } from '@tanstack/react-query';
import { Grid3x3, List, Milestone, Search, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { CheckField } from '../../ui/field.tsx';
import { Button } from '../../ui/parts.tsx';
import { Segment, Segments } from '../../ui/segments.tsx';
import { HEALTH_WORDS, SYNC_WORDS } from '../applications/state.ts';
import { clustersQuery } from '../clusters/queries.ts';
import { PHASE_NAMES } from '../rollouts/rollout-state.ts';
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
        <Segment
          active={view === 'rollouts' || view === 'policies'}
          onClick={() => change({ ...NONE, view: 'rollouts' })}
        >
          <Milestone className="size-3.5" aria-hidden /> Rollouts
        </Segment>
      </Segments>
      {view === 'rollouts' || view === 'policies' ? (
        search.rollout === undefined && <RolloutFilters policies={view === 'policies'} />
      ) : (
        <FleetFilters list={view === 'list'} />
      )}
      {isFiltered(search) && search.rollout === undefined && (
        <Button className="border-transparent text-muted" onClick={() => change(NONE)}>
          <X className="size-3.5" aria-hidden /> Clear
        </Button>
      )}
    </div>
  );
}

function RolloutFilters({ policies }: { policies: boolean }) {
  const [search, change] = useFleetSearch();
  const { data: projects } = useQuery({ ...projectsQuery, enabled: !policies });
  return (
    <>
      <Segments label="Rollouts or their policies">
        <Segment active={!policies} onClick={() => change({ view: 'rollouts' })}>
          All
        </Segment>
        <Segment active={policies} onClick={() => change({ ...NONE, view: 'policies' })}>
          Policies
        </Segment>
      </Segments>
      <SearchField key={String(policies)} placeholder={policies ? 'Policy' : 'ApplicationSet'} />
      {!policies && (
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
      )}
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

function SearchField({ placeholder }: { placeholder: string }) {
  const [search, change] = useFleetSearch();
  const [text, setText] = useState(search.q ?? '');
  const written = useRef(search.q ?? '');
  // The address follows the field a moment later; the field follows the address when somebody else changed it.
  useEffect(() => {
    if ((search.q ?? '') === written.current) return;
    written.current = search.q ?? '';
    setText(written.current);
  }, [search.q]);
  useEffect(() => {
    if (text === written.current) return;
    const timer = setTimeout(() => {
      written.current = text;
      change({ q: text || undefined }, true);
    }, 200);
    return () => clearTimeout(timer);
  }, [text, change]);
  return (
    <label className="relative">
      <Search className="absolute top-2 left-2 size-3.5 text-muted" aria-hidden />
      <input
        type="search"
        aria-label="Search"
        placeholder={placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="h-7 w-52 rounded-md border border-line bg-ground pr-2 pl-7 placeholder:text-muted"
      />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  value: string | undefined;
  options: readonly string[];
  onChange: (value: string | undefined) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  const known = value === undefined || options.includes(value) ? options : [value, ...options];
  return (
    <select
      aria-label={label}
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value || undefined)}
      className={`h-7 max-w-44 rounded-md border bg-ground px-1.5 ${value ? 'border-accent text-ink' : 'border-line text-muted'}`}
    >
      <option value="">{label}: any</option>
      {known.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  );
}
