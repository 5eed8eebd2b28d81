import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";

import type { Workflow } from "@/lib/api/types";

import { useDraftStore } from "./draft-store";
import { normalizeLineBreaks, useDraft } from "./use-draft";

const workflow = (version = 1, yaml = "a: 1\n") => ({ id: "wf_1", version, yaml }) as Workflow;

beforeEach(() => useDraftStore.setState({ drafts: {} }));

describe("useDraft", () => {
  it("starts with the saved text, and deletes the draft when it is equal again", () => {
    const { result } = renderHook(() => useDraft(workflow()));
    expect(result.current).toMatchObject({
      text: "a: 1\n",
      isChanged: false,
      isRestored: false,
      base: 1,
    });

    act(() => result.current.setText("a: 2\n"));
    expect(result.current).toMatchObject({ text: "a: 2\n", isChanged: true, isRestored: false });
    expect(localStorage.getItem("crewai-runner:drafts")).toContain("a: 2");

    act(() => result.current.setText("a: 1\n"));
    expect(result.current.isChanged).toBe(false);
    expect(useDraftStore.getState().drafts).toEqual({});
  });

  it("reports a restored draft until it is discarded", () => {
    useDraftStore.getState().setDraft("wf_1", "a: 3\n", 1);
    const { result } = renderHook(() => useDraft(workflow()));
    expect(result.current).toMatchObject({ text: "a: 3\n", isRestored: true });

    act(() => result.current.discard());
    expect(result.current).toMatchObject({ text: "a: 1\n", isRestored: false, isChanged: false });
  });

  it("keeps its base when a newer version is saved", () => {
    useDraftStore.getState().setDraft("wf_1", "a: 3\n", 1);
    const { result } = renderHook(() => useDraft(workflow(2, "a: 9\n")));

    expect(result.current).toMatchObject({ base: 1, isOutdated: true });
    act(() => result.current.setText("a: 9\n"));
    expect(result.current).toMatchObject({ base: 2, isChanged: false });
  });

  it("ignores drafts of other workflows", () => {
    useDraftStore.getState().setDraft("wf_2", "b: 1\n", 1);
    expect(renderHook(() => useDraft(workflow())).result.current.isChanged).toBe(false);
  });

  it("ignores differences in line breaks", () => {
    const { result } = renderHook(() => useDraft(workflow(1, "a: 1\r\nb: 2\r\n")));
    expect(result.current).toMatchObject({ text: "a: 1\nb: 2\n", isChanged: false });
    expect(normalizeLineBreaks("a\rb\r\nc")).toBe("a\nb\nc");
  });

  it("keeps at most 30 drafts", () => {
    for (let number = 0; number < 35; number += 1)
      useDraftStore.getState().setDraft(`wf_${number}`, "x", 1);
    expect(Object.keys(useDraftStore.getState().drafts)).toHaveLength(30);
  });
});
