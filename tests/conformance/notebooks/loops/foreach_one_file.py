"""All rounds add to one log, whose lines must stand in their order, once each.

expected: equal
"""
# %% [step:load]
with open("log.txt", "w") as log:
    log.write("begin\n")
del log
done = []
# %% [step:write, foreach]
for n in range(4):
    with open("log.txt", "a") as log:
        log.write(f"{n}\n")
    with open(f"part{n}.txt", "w") as part:
        part.write(str(n))
    done.append(n)
# %%
del log, part
# %% [step:show]
print(open("log.txt").read(), done)
