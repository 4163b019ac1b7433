"""Modes and switches of torch stay on over steps: inference, anomaly, default device, threads, flush.

expected: equal
"""
# %% [imports]
import torch
# %% [step:set]
torch.set_num_threads(1)
torch.set_default_device("meta")
torch.autograd.set_detect_anomaly(True, check_nan=False)
torch.set_float32_matmul_precision("high")
torch.set_flush_denormal(True)
torch.utils.deterministic.fill_uninitialized_memory = False
mode = torch.inference_mode()
mode.__enter__()
# %% [step:use]
made = torch.ones(2)
state = (made.device.type, torch.is_inference(made), torch.is_anomaly_enabled())
# %% [step:leave]
mode.__exit__(None, None, None)
torch.set_default_device("cpu")
tiny = (torch.tensor([1e-310], dtype=torch.float64) * 1.0).item()
print(state, torch.get_num_threads(), torch.is_inference(torch.ones(1)), torch.is_anomaly_check_nan_enabled())
print(torch.utils.deterministic.fill_uninitialized_memory, torch.get_float32_matmul_precision(), tiny)
torch.autograd.set_detect_anomaly(False)
torch.set_flush_denormal(False)
del mode, made
