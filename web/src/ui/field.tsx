import type { InputHTMLAttributes, ReactNode } from 'react';

/** A one-line field as the page has them. */
export function TextField({ className = '', ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return (
    <input
      className={`h-7 rounded-md border border-line bg-ground px-2 placeholder:text-muted ${className}`}
      {...rest}
    />
  );
}

/** A box to tick, with its words. */
export function CheckField({
  checked,
  onChange,
  disabled = false,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <label className="flex cursor-pointer items-center gap-1.5 has-disabled:cursor-default has-disabled:text-muted">
      <input
        type="checkbox"
        className="accent-accent"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      {children}
    </label>
  );
}

/** One of several; the label is for who does not see it. */
export function SelectField({
  label,
  value,
  onChange,
  wide = false,
  children,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className={`h-7 rounded-md border border-line bg-ground px-1.5 ${wide ? 'w-full' : 'max-w-44'}`}
    >
      {children}
    </select>
  );
}

/** What a field asks for, above it. */
export function Labelled({ text, children }: { text: string; children: ReactNode }) {
  return (
    <label className="block">
      <span className="mb-0.5 block text-muted">{text}</span>
      {children}
    </label>
  );
}
