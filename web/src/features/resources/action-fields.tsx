import { CheckField, Labelled, SelectField, TextField } from '../../ui/field.tsx';
import { type ActionForm, mayLoseData } from './action-texts.ts';
import type { ObjectName } from './object-key.ts';

interface FieldsProps {
  action: string;
  name: ObjectName;
  form: ActionForm;
  change: (form: ActionForm) => void;
}

/** What an action asks for besides its object: always the reason. */
export function ActionFields({ action, name, form, change }: FieldsProps) {
  const set = (part: Partial<ActionForm>) => change({ ...form, ...part });
  return (
    <>
      {action === 'scale' && (
        <Labelled text="Replicas">
          <TextField
            inputMode="numeric"
            value={form.replicas}
            onChange={(event) => set({ replicas: event.target.value })}
            className="w-24"
          />
        </Labelled>
      )}
      {action === 'delete' && (
        <>
          <Labelled text="What it owns">
            <SelectField
              label="What it owns"
              value={form.propagation}
              onChange={(propagation) => set({ propagation })}
            >
              <option value="Background">goes after it</option>
              <option value="Foreground">goes first</option>
              <option value="Orphan">stays</option>
            </SelectField>
          </Labelled>
          <CheckField checked={form.force} onChange={(force) => set({ force })}>
            At once, without a grace period
          </CheckField>
          {mayLoseData(name) && (
            <CheckField checked={form.data} onChange={(data) => set({ data })}>
              Data may be lost with it, and this is meant (needs the role admin)
            </CheckField>
          )}
          <Labelled text={`Type ${name.name} to confirm`}>
            <TextField
              value={form.typed}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => set({ typed: event.target.value })}
              className="w-full font-mono text-xs"
            />
          </Labelled>
        </>
      )}
      <Labelled text="Reason, for the audit log">
        <TextField
          value={form.reason}
          maxLength={1000}
          onChange={(event) => set({ reason: event.target.value })}
          className="w-full"
        />
      </Labelled>
    </>
  );
}
