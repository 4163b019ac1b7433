/**
 * What a person does with a page: finds a button by its name, presses, types, chooses, waits.
 */
import * as React from 'react';
import { expect } from 'vitest';

/** The name that a reader of the page is told. */
const nameOf = (button: Element) =>
  button.getAttribute('aria-label') ?? button.textContent;

/** The button of a name; undefined where there is none. */
export function findButton(
  node: ParentNode,
  name: string
): HTMLButtonElement | undefined {
  return [...node.querySelectorAll('button')].find(
    button => nameOf(button) === name
  );
}

/** The names of all buttons, in their order. */
export const listButtons = (node: ParentNode) =>
  [...node.querySelectorAll('button')].map(nameOf);

/** Press a button that there is. */
export function press(node: ParentNode, name: string): void {
  const found = findButton(node, name);
  expect(found, name).toBeDefined();
  React.act(() => found?.click());
}

function findLabelled(node: ParentNode, label: string): Element | null {
  const words = [...node.querySelectorAll('label')];
  const named = words.find(each => each.textContent?.startsWith(label));
  const found =
    node.querySelector(`[aria-label="${label}"]`) ??
    named?.control ??
    named?.querySelector('input, select, textarea');
  return found ?? null;
}

/** The field of a label. */
export function findField(node: ParentNode, label: string): HTMLInputElement {
  const found = findLabelled(node, label);
  expect(found, label).not.toBeNull();
  return found as HTMLInputElement;
}

/** The choice of a label. */
export function findChoice(node: ParentNode, label: string): HTMLSelectElement {
  const found = findLabelled(node, label);
  expect(found, label).toBeInstanceOf(HTMLSelectElement);
  return found as HTMLSelectElement;
}

/** Type into a field, or choose, as a person does; React listens to the setter. */
export function fill(
  field: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement,
  text: string
): void {
  const own = Object.getPrototypeOf(field) as object;
  const isChoice = field instanceof HTMLSelectElement;
  React.act(() => {
    Object.getOwnPropertyDescriptor(own, 'value')?.set?.call(field, text);
    const kind = isChoice ? 'change' : 'input';
    field.dispatchEvent(new Event(kind, { bubbles: true }));
  });
}

/** Strike a key; true where somebody took it. */
export function strike(target: Element, key: string): boolean {
  const event = new KeyboardEvent('keydown', {
    key,
    bubbles: true,
    cancelable: true
  });
  React.act(() => {
    target.dispatchEvent(event);
  });
  return event.defaultPrevented;
}

/** Send a form, and let what it asks for come. */
export async function submit(node: ParentNode): Promise<void> {
  const form = node.querySelector('form');
  expect(form).not.toBeNull();
  React.act(() => {
    form?.dispatchEvent(
      new Event('submit', { bubbles: true, cancelable: true })
    );
  });
  await rest();
}

/** Let promises settle, and React follow. */
export async function rest(): Promise<void> {
  await React.act(async () => {
    for (let turn = 0; turn < 10; turn++) {
      await Promise.resolve();
    }
  });
}

/** Questions that are answered when the test says so. */
export class Held<T> {
  readonly asked: unknown[][] = [];

  readonly ask = (...given: unknown[]) => {
    this.asked.push(given);
    return new Promise<T>((resolve, reject) =>
      this.open.push({ resolve, reject })
    );
  };

  readonly open: {
    resolve: (value: T) => void;
    reject: (reason: Error) => void;
  }[] = [];
}

/** Names that must come out as they went in, and do nothing. */
export const EVIL_NAMES = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '"><svg onload=alert(1)>',
  "'; DROP TABLE runs; --",
  '\u202eemordnilap',
  'שלום עולם',
  '{{constructor.constructor("alert(1)")()}}',
  '%1 %2 %s',
  '__proto__',
  'x'.repeat(10_000)
];

/** Whether anything in a page could do something by itself. */
export const listLively = (node: ParentNode) =>
  [...node.querySelectorAll('script, img, iframe, object, [onload], [onerror]')]
    .map(each => each.outerHTML)
    .concat(
      [...node.querySelectorAll('a[href^="javascript"]')].map(
        each => each.outerHTML
      )
    );
