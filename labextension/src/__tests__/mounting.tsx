/**
 * A place to mount components, taken away after each test.
 */
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { onTestFinished } from 'vitest';

/** Mount an element in the page; it is taken away after the test. */
export function mount(element: React.JSX.Element): {
  node: HTMLElement;
  update: (next: React.JSX.Element) => void;
} {
  const node = document.body.appendChild(document.createElement('div'));
  const root = createRoot(node);
  const update = (next: React.JSX.Element) =>
    React.act(() => {
      root.render(next);
    });
  update(element);
  // Not after each test of this file: files may share what they import.
  onTestFinished(() => {
    React.act(() => {
      root.unmount();
    });
    node.remove();
  });
  return { node, update };
}

/** Do what a person does, and let React follow. */
export function act(action: () => void): void {
  React.act(action);
}
