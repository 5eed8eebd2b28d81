import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";

import type { Workflow } from "@/lib/api/types";

import { useDrafts } from "./draft-store";
import { plainBreaks, useDraft } from "./use-draft";

const workflow = (version = 1, yaml = "a: 1\n") => ({ id: "wf_1", version, yaml }) as Workflow;

beforeEach(() => useDrafts.setState({ drafts: {} }));

describe("a draft", () => {
  it("begins as what the server has, and is gone when it is that again", () => {
    const { result } = renderHook(() => useDraft(workflow()));
    expect(result.current).toMatchObject({
      text: "a: 1\n",
      changed: false,
      restored: false,
      base: 1,
    });

    act(() => result.current.setText("a: 2\n"));
    expect(result.current).toMatchObject({ text: "a: 2\n", changed: true, restored: false });
    expect(localStorage.getItem("crewai-runner:drafts")).toContain("a: 2");

    act(() => result.current.setText("a: 1\n"));
    expect(result.current.changed).toBe(false);
    expect(useDrafts.getState().drafts).toEqual({});
  });

  it("says that it was found, until it is discarded", () => {
    useDrafts.getState().put("wf_1", "a: 3\n", 1);
    const { result } = renderHook(() => useDraft(workflow()));
    expect(result.current).toMatchObject({ text: "a: 3\n", restored: true });

    act(() => result.current.discard());
    expect(result.current).toMatchObject({ text: "a: 1\n", restored: false, changed: false });
  });

  it("keeps its base when somebody saves a newer version", () => {
    useDrafts.getState().put("wf_1", "a: 3\n", 1);
    const { result } = renderHook(() => useDraft(workflow(2, "a: 9\n")));

    expect(result.current).toMatchObject({ base: 1, outdated: true });
    act(() => result.current.setText("a: 9\n"));
    expect(result.current).toMatchObject({ base: 2, changed: false });
  });

  it("of another workflow is another", () => {
    useDrafts.getState().put("wf_2", "b: 1\n", 1);
    expect(renderHook(() => useDraft(workflow())).result.current.changed).toBe(false);
  });

  it("is not made of line breaks alone", () => {
    const { result } = renderHook(() => useDraft(workflow(1, "a: 1\r\nb: 2\r\n")));
    expect(result.current).toMatchObject({ text: "a: 1\nb: 2\n", changed: false });
    expect(plainBreaks("a\rb\r\nc")).toBe("a\nb\nc");
  });

  it("is one of at most thirty", () => {
    for (let number = 0; number < 35; number += 1) useDrafts.getState().put(`wf_${number}`, "x", 1);
    expect(Object.keys(useDrafts.getState().drafts)).toHaveLength(30);
  });
});
