import type { ApplicationView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { AgainButton } from '../../ui/again-button.tsx';
import { CheckField, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { keyOf } from '../applications/state.ts';
import { allows } from '../session/permissions.ts';
import { sessionQuery } from '../session/queries.ts';
import type { LogState } from './collect-log.ts';
import { containersOf } from './containers.ts';
import { matchingLines } from './log-buffer.ts';
import { LogLines } from './log-lines.tsx';
import { useLog } from './use-log.ts';

const TAILS = [100, 200, 1000, 5000];

interface LogsProps {
  app: ApplicationView;
  resource: string;
  /** As it is in the cluster, for the names of its containers. */
  object: Record<string, unknown> | undefined;
}

/** The log of a Pod or of all Pods of an object, for who may read it. */
export function Logs(props: LogsProps) {
  const { data: session } = useQuery(sessionQuery);
  if (!session) return null;
  if (allows(session, 'operator', props.app.project)) return <AllowedLogs {...props} />;
  return (
    <p className="p-4 text-muted">
      Reading logs needs the role operator of the project {props.app.project}: applications write there what
      nobody can mask.
    </p>
  );
}

function AllowedLogs({ app, resource, object }: LogsProps) {
  const [container, setContainer] = useState('');
  const [tailLines, setTail] = useState(200);
  const [follow, setFollow] = useState(true);
  const [previous, setPrevious] = useState(false);
  const [wrap, setWrap] = useState(false);
  const [filter, setFilter] = useState('');
  const [attempt, setAttempt] = useState(0);
  const asked = {
    resource,
    ...(container && { container }),
    tailLines,
    follow: follow && !previous,
    previous,
  };
  const log = useLog(keyOf(app), asked, attempt);
  const shown = useMemo(() => matchingLines(log.lines, filter), [log.lines, filter]);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 px-4 py-2">
        <SelectField label="Container" value={container} onChange={setContainer}>
          <option value="">default container</option>
          {containersOf(object).map((name) => (
            <option key={name}>{name}</option>
          ))}
          <option value="*">all containers</option>
        </SelectField>
        <SelectField label="Lines" value={String(tailLines)} onChange={(value) => setTail(Number(value))}>
          {TAILS.map((count) => (
            <option key={count} value={count}>
              last {count} lines
            </option>
          ))}
        </SelectField>
        <CheckField checked={follow && !previous} disabled={previous} onChange={setFollow}>
          Follow
        </CheckField>
        <CheckField checked={previous} onChange={setPrevious}>
          Previous run
        </CheckField>
        <CheckField checked={wrap} onChange={setWrap}>
          Wrap
        </CheckField>
        <TextField
          type="search"
          aria-label="Filter the lines"
          placeholder="Filter"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          className="min-w-28 flex-1"
        />
        <AgainButton label="Read again" busy={false} onClick={() => setAttempt(attempt + 1)} />
      </div>
      <LogLines lines={shown} wrap={wrap} />
      <LogStatus log={log} shown={shown.length} />
    </div>
  );
}

/** Whether there is more to come, and why not. */
function LogStatus({ log, shown }: { log: LogState; shown: number }) {
  const { lines, dropped, reading, cut, error } = log;
  const counted = shown === lines.length ? `${shown} lines` : `${shown} of ${lines.length} lines`;
  return (
    <div className="border-t border-line text-xs">
      {error !== undefined && <ErrorNotice error={error} />}
      {cut && <p className="bg-warn/10 px-4 py-1 text-warn">Cut, because: {cut}</p>}
      <p role="status" className="flex flex-wrap gap-x-3 px-4 py-1 text-muted">
        <span>{reading ? 'Reading' : 'Ended'}</span>
        <span>{lines.length === 0 && !reading && error === undefined ? 'nothing was written' : counted}</span>
        {dropped > 0 && <span>{dropped} older ones let go</span>}
        <span className="ml-auto">Reading logs is kept in the audit log.</span>
      </p>
    </div>
  );
}
