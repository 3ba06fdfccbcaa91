import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useFleetSearch } from './use-search.ts';

/** Words that are searched for, in the address a moment after they were typed. */
export function SearchField({ placeholder }: { placeholder: string }) {
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
        className="h-7 w-56 rounded-md border border-line bg-ground pr-2 pl-7 placeholder:text-muted"
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

/** One of several values to filter by, or any. */
export function Choice({ label, value, options, onChange }: ChoiceProps) {
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
